package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7"
)

// answerError is what a store answered instead of doing what it was asked.
type answerError struct {
	bucket *bucket
	answer minio.ErrorResponse
}

func (e *answerError) Error() string {
	const most = 300 // bytes of a page of a server that is no store
	text := e.answer.Message
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	if e.answer.Code != "" && !strings.Contains(text, e.answer.Code) {
		text = e.answer.Code + ": " + text
	}
	return fmt.Sprintf("the store answers %d %s", e.answer.StatusCode, text)
}

func (e *answerError) Unwrap() error { return e.answer }

// denied says whether credentials or rights are to blame, which no other try mends.
func denied(err error) bool {
	var e *answerError
	if errors.As(err, &e) {
		return e.answer.StatusCode == http.StatusForbidden || e.answer.StatusCode == http.StatusUnauthorized || e.noBucket() || e.region() != ""
	}
	return errors.As(err, new(*CredentialsError)) || errors.Is(err, os.ErrPermission)
}

func (e *answerError) noBucket() bool { return e.answer.Code == minio.NoSuchBucket }

// region is what to do where the bucket lies in another region than was asked, else empty.
func (e *answerError) region() string {
	switch e.answer.Code {
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException", "Moved Permanently":
	default:
		if e.answer.StatusCode != http.StatusMovedPermanently && e.answer.StatusCode != http.StatusTemporaryRedirect {
			return ""
		}
	}
	if e.answer.Region != "" {
		return fmt.Sprintf("bucket %s is in region %s: say region=%s in the URL", e.bucket.name, e.answer.Region, e.answer.Region)
	}
	return fmt.Sprintf("bucket %s is in another region: say which as region=REGION in the URL", e.bucket.name)
}

// advice is a line of ours for an error: what is wrong, in our words, and what to do. It is empty
// where we know no more than the error says.
func advice(err error) string {
	var e *answerError
	if errors.As(err, &e) {
		return e.advice()
	}
	var missing *CredentialsError
	if errors.As(err, &missing) {
		return "there are no credentials for the store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or say anonymous=true in the URL where the bucket is open to all"
	}
	var dns *net.DNSError
	var untrusted x509.UnknownAuthorityError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("there is no host %s: mend the endpoint or the region in the URL", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing answers at the endpoint: start the store, or mend the endpoint in the URL"
	case errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH):
		return "the endpoint cannot be reached from here: mend the network, or the endpoint in the URL"
	case errors.As(err, &untrusted):
		return "the store's certificate is not trusted here: name the file of its authority in AWS_CA_BUNDLE"
	case errors.As(err, &plain) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the endpoint does not speak https: say endpoint=http://... in the URL"
	case errors.Is(err, errStalled):
		return "the remote does not answer: try again, or mend the network or the endpoint"
	case errors.Is(err, os.ErrPermission):
		return "this user may not do that in the directory: let its owner give you the right, or use another directory"
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return "the remote's disk is full: make room there"
	}
	return ""
}

func (e *answerError) advice() string {
	b := e.bucket
	if text := e.region(); text != "" {
		return text
	}
	switch code := e.answer.Code; code {
	case minio.NoSuchBucket:
		return fmt.Sprintf("there is no bucket %s at %s: create it, or mend the bucket or the endpoint in the URL", b.name, b.endpoint)
	case "InvalidAccessKeyId":
		return fmt.Sprintf("%s does not know the access key: set the one that it gave you in AWS_ACCESS_KEY_ID or AWS_PROFILE", b.endpoint)
	case "SignatureDoesNotMatch":
		return "the secret key does not belong to the access key: set AWS_SECRET_ACCESS_KEY anew"
	case "ExpiredToken", "ExpiredTokenException", "InvalidToken":
		return "the session token has expired or is not valid: get new credentials"
	case "RequestTimeTooSkewed":
		return "the clock of this machine is wrong: set it"
	case "XAmzContentSHA256Mismatch", "BadDigest":
		return "the bytes changed on their way to the store: push again"
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "ServiceUnavailable", "RequestLimitExceeded":
		return "the store is busy: try again later"
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded":
		return "the store is full: make room there"
	case "NotImplemented", "MethodNotAllowed":
		return fmt.Sprintf("the server at %s does not behave as an S3 store: mend the endpoint in the URL", b.endpoint)
	}
	switch {
	case e.answer.StatusCode == http.StatusForbidden || e.answer.StatusCode == http.StatusUnauthorized:
		return fmt.Sprintf("these credentials have no access to bucket %s at %s: they need s3:ListBucket on it, and s3:GetObject and s3:PutObject below %q", b.name, b.endpoint, b.prefix)
	case strings.HasPrefix(e.answer.Code, fmt.Sprint(e.answer.StatusCode)): // the status, for want of a code: it was no XML
		return fmt.Sprintf("the server at %s is not an S3 store, or the store does not work: mend the endpoint in the URL, or try again later", b.endpoint)
	}
	return ""
}
