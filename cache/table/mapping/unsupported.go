//go:build !linux && !darwin

package mapping

import _ "ablate/cache/system" // stops the build
