package remote

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// metadataPatience is how long the metadata service of a cloud's machine may take. It answers at
// once or is not there.
const metadataPatience = 2 * time.Second

// profile is what the AWS tools' files say of a profile, beside its keys.
type profile struct {
	region   string
	endpoint string
}

// readProfile reads ~/.aws/config, or the file that AWS_CONFIG_FILE names. A profile that a person
// named must be there, or among the credentials.
func readProfile(name string) (profile, error) {
	var p profile
	at := name
	if at == "" {
		at = "default"
	}
	for _, file := range []struct{ path, section string }{
		{awsFile("AWS_CONFIG_FILE", "config"), "profile " + at}, {awsFile("AWS_CONFIG_FILE", "config"), at},
		{awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"), at},
	} {
		f, err := ini.Load(file.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return p, fmt.Errorf("reading %s: %w", file.path, err)
		}
		section, err := f.GetSection(file.section)
		if err != nil {
			continue
		}
		name = "" // found
		if role := section.Key("role_arn").String(); role != "" {
			return p, fmt.Errorf("profile %s of %s assumes a role, which this program does not: let `aws configure export-credentials --profile %s --format env` set the keys of the role, "+
				"or name a profile with keys, a credential_process or single sign-on", at, file.path, at)
		}
		p.region = or(p.region, section.Key("region").String())
		p.endpoint = or(p.endpoint, section.Key("endpoint_url").String())
	}
	if name != "" {
		return p, fmt.Errorf("there is no profile %s in %s or %s: name another, or make it with `aws configure --profile %s`", name,
			awsFile("AWS_CONFIG_FILE", "config"), awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name)
	}
	return p, nil
}

// awsFile is where a file of the AWS tools lies.
func awsFile(variable, name string) string {
	if at := os.Getenv(variable); at != "" {
		return at
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".aws", name)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// source is one place where credentials are looked for, in words.
type source struct {
	where string
	credentials.Provider
}

// sources lists where credentials are looked for, in order, as the AWS tools do: the environment,
// the profile, the token of a service account or the credentials of a container, where the
// environment names one, and last the metadata service of the machine. That is asked only where a
// request to it can be meant: not where an endpoint or a profile is named, for then the store is
// not the cloud's own or credentials were chosen, and not where AWS_EC2_METADATA_DISABLED is true.
func sources(named, region string, endpoint bool) []source {
	files := awsFile("AWS_CONFIG_FILE", "config") + " and " + awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")
	if named != "" {
		return []source{{"profile " + named + " in " + files, &credentials.FileAWSCredentials{Profile: named}}}
	}
	of := or(os.Getenv("AWS_PROFILE"), "default")
	list := []source{
		{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", &credentials.EnvAWS{}},
		{"profile " + of + " in " + files, &credentials.FileAWSCredentials{}},
	}
	iam := &credentials.IAM{Region: region, Client: &http.Client{Timeout: metadataPatience, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}}}
	switch {
	case os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		iam.Client = &http.Client{Timeout: patience}
		return append(list, source{"the role of AWS_WEB_IDENTITY_TOKEN_FILE", iam})
	case os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "":
		return append(list, source{"the container's AWS_CONTAINER_CREDENTIALS_*", iam})
	case endpoint || os.Getenv("AWS_PROFILE") != "" || strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true"):
		return list
	}
	return append(list, source{"the metadata service of this machine", iam})
}

// finder asks the sources in turn. It implements [credentials.Provider]: unlike the library's chain
// it says what each answered, and never goes on without credentials where none were found.
type finder struct {
	sources []source
	tell    func(credentials.Value) // of what was found
	now     credentials.Provider
}

// CredentialsError says where credentials were looked for in vain.
type CredentialsError struct{ Tried []string }

func (e *CredentialsError) Error() string { return "none were found in " + strings.Join(e.Tried, "; ") }

func (f *finder) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	failed := &CredentialsError{}
	for _, s := range f.sources {
		v, err := s.RetrieveWithCredContext(cc)
		if v.AccessKeyID == "" || v.SecretAccessKey == "" {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.where += fmt.Sprintf(" (%v)", err)
			}
			failed.Tried = append(failed.Tried, s.where)
			continue
		}
		f.now = s.Provider
		f.tell(v)
		return v, nil
	}
	return credentials.Value{}, failed
}

func (f *finder) Retrieve() (credentials.Value, error) { return f.RetrieveWithCredContext(nil) }

func (f *finder) IsExpired() bool { return f.now == nil || f.now.IsExpired() }

// certificates are those of the system and those of a file.
func certificates(bundle string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	data, err := os.ReadFile(bundle)
	if err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s holds no certificate", bundle)
	}
	return pool, nil
}
