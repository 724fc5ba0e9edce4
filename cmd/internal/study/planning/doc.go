// Package planning says of a study's plan, before or after it is run, why its steps would run, what
// the study costs together with others, and what it took beside what the naive way would have.
package planning
