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
	return &quickjs.HostError{Name: "ClientResponseError", Code: "ERR_VALIDATION", Status: max(api.Status, http.StatusBadRequest), Message: "pb.files: " + api.Message, Detail: api.Data}
}
