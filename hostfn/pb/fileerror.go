package pb

import (
	"errors"
	"net/http"

	"github.com/agentrt/agentrt/quickjs"
	"github.com/pocketbase/pocketbase/tools/router"
)

// saveError gives a failed save the shape that PocketBase's API gives it: status
// 400 and the problem of each field under "data".
func saveError(err error) error {
	api, ok := errors.AsType[*router.ApiError](err)
	if !ok {
		api = router.NewBadRequestError("the record was not saved", err)
	}
	if len(api.Data) == 0 && !ok {
		return err
	}
	return clientError(max(api.Status, http.StatusBadRequest), "ERR_VALIDATION", "pb.files: "+api.Message, api.Data)
}

// clientError becomes a ClientResponseError.
func clientError(status int, code, message string, data map[string]any) error {
	response := map[string]any{"status": status, "message": message, "data": data}
	return &quickjs.HostError{Name: "ClientResponseError", Code: code, Status: status, Message: message, Detail: map[string]any{"response": response}}
}
