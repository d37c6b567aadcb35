package awsapi

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"
)

// Code is AWS's code of an error, or a word for what is not AWS's. AWS's messages can quote what was asked for, and are
// left out.
func Code(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errPages):
		return "endless-pages"
	default:
		return "unreachable"
	}
}

// reason is why a fact is not known, a clause.
func reason(call string, err error) string { return call + " ended with " + Code(err) }

// apiError is an error of the calls that no SDK client makes.
type apiError struct {
	call, code string
}

func (e *apiError) Error() string                 { return "cannot call " + e.call + ": " + e.code }
func (e *apiError) ErrorCode() string             { return e.code }
func (e *apiError) ErrorMessage() string          { return "" }
func (e *apiError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// IsMissing tells that AWS does not have what was asked for.
func IsMissing(err error) bool {
	switch Code(err) {
	case "ReplicationGroupNotFoundFault", "CacheClusterNotFound", "ServerlessCacheNotFoundFault", "ClusterNotFoundFault",
		"SnapshotNotFoundFault", "ServerlessCacheSnapshotNotFoundFault":
		return true
	default:
		return false
	}
}
