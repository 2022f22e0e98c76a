package modelserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// shape is the provider whose form an answer takes.
type shape uint8

const (
	shapeOpenAI shape = iota
	shapeAnthropic
	shapeGoogle
	shapeOllama
)

// apiError is an error that each provider's shape can express. An empty code and
// kind are derived from the status.
type apiError struct {
	status               int
	message, param, code string
}

func (e *apiError) Error() string { return e.message }

func badRequest(param, format string, args ...any) error {
	return &apiError{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...), param: param}
}

// statusKinds gives, by status, the error types of OpenAI, Anthropic and Google.
var statusKinds = map[int][3]string{
	400: {"invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	401: {"invalid_request_error", "authentication_error", "UNAUTHENTICATED"},
	403: {"invalid_request_error", "permission_error", "PERMISSION_DENIED"},
	404: {"invalid_request_error", "not_found_error", "NOT_FOUND"},
	405: {"invalid_request_error", "invalid_request_error", "UNIMPLEMENTED"},
	409: {"invalid_request_error", "invalid_request_error", "ABORTED"},
	413: {"invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
	429: {"rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"},
	500: {"server_error", "api_error", "INTERNAL"},
	503: {"server_error", "overloaded_error", "UNAVAILABLE"},
	504: {"server_error", "timeout_error", "DEADLINE_EXCEEDED"},
	529: {"server_error", "overloaded_error", "UNAVAILABLE"},
}

var statusCodes = map[int]string{401: "invalid_api_key", 429: "rate_limit_exceeded", 503: "server_overloaded"}

func (e *apiError) kind(s shape) string {
	kinds, ok := statusKinds[e.status]
	switch {
	case ok:
	case e.status >= 500:
		kinds = statusKinds[500]
	default:
		kinds = statusKinds[400]
	}
	return kinds[s]
}

type openaiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func (e *apiError) openai() openaiError {
	out := openaiError{Message: e.message, Type: e.kind(shapeOpenAI)}
	code := e.code
	if code == "" {
		code = statusCodes[e.status]
	}
	if code != "" {
		out.Code = &code
	}
	if e.param != "" {
		out.Param = &e.param
	}
	return out
}

// body is the error as the provider writes it.
func (e *apiError) body(s shape, requestID string) any {
	switch s {
	case shapeAnthropic:
		return map[string]any{
			"type":       "error",
			"error":      map[string]string{"type": e.kind(s), "message": e.message},
			"request_id": requestID,
		}
	case shapeOllama:
		return map[string]string{"error": e.message}
	case shapeGoogle:
		return map[string]any{"error": map[string]any{"code": e.status, "message": e.message, "status": e.kind(s)}}
	}
	return map[string]any{"error": e.openai()}
}

func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	return &apiError{status: http.StatusInternalServerError, message: err.Error()}
}

// decode reads JSON strictly enough to say what was wrong.
func decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	if len(strings.TrimSpace(string(body[:min(len(body), 64)]))) == 0 {
		return badRequest("", "the body is empty: want a JSON object")
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The field of an embedded struct comes with the struct's name.
		name := strings.TrimPrefix(t.Field, "ChatCompletionRequest.")
		if name == "" {
			return badRequest("", "the body or a part of it has the wrong type: got %s where %s belongs", t.Value, jsonType(t.Type.Kind().String()))
		}
		return badRequest(name, "Invalid type for '%s': expected %s, but got %s instead.", name, jsonType(t.Type.Kind().String()), t.Value)
	}
	if t, ok := errors.AsType[*apiError](err); ok {
		return t
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return badRequest("", "We could not parse the JSON body of your request: %v at byte %d", s, s.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return badRequest("", "We could not parse the JSON body of your request: it ends too early")
	}
	return badRequest("", "We could not read the JSON body of your request: %v", err)
}

func jsonType(kind string) string {
	switch {
	case kind == "slice" || kind == "array":
		return "an array"
	case kind == "struct" || kind == "map":
		return "an object"
	case kind == "bool":
		return "a boolean"
	case strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint"):
		return "an integer"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	}
	return "a " + kind
}
