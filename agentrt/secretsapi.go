package agentrt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/agentrt/agentrt/agentrt/secrets"
	"github.com/pocketbase/pocketbase/core"
)

// secretsEvery is how often changes by other processes ("agentrt secrets set") are
// looked for.
const secretsEvery = 2 * time.Second

func (e *Engine) watchSecrets(ctx context.Context) {
	ticker := time.NewTicker(secretsEvery)
	defer ticker.Stop()
	reported := ""
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		changed, err := e.secrets.Refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && err.Error() != reported:
			reported = err.Error()
			e.logger().Error("the former secrets stay in use: " + reported)
		case err == nil:
			reported = ""
		}
		if changed {
			if err := e.reactivate(ctx); err != nil {
				e.report(err)
			}
		}
	}
}

// reactivate evaluates the current functions again, so that their top level sees
// what has changed.
func (e *Engine) reactivate(ctx context.Context) error {
	e.load.Lock()
	defer e.load.Unlock()
	old := e.runner.Current()
	if old == nil {
		return nil
	}
	return e.evaluateAndSwitch(ctx, old.Bundle, nil)
}

func (e *Engine) listSecrets(re *core.RequestEvent) error {
	all, err := e.secrets.List(re.Request.Context())
	if err != nil {
		return re.InternalServerError("The secrets cannot be listed.", err)
	}
	return re.JSON(http.StatusOK, map[string]any{"secrets": all})
}

func (e *Engine) putSecret(re *core.RequestEvent) error {
	var body struct {
		Value string `json:"value"`
	}
	if err := re.BindBody(&body); err != nil {
		return re.BadRequestError("The body must be JSON: {\"value\": \"…\"}.", nil)
	}
	name := re.Request.PathValue("name")
	return e.changedSecrets(re, map[string]any{"name": name}, e.secrets.Set(re.Request.Context(), name, body.Value))
}

func (e *Engine) deleteSecret(re *core.RequestEvent) error {
	name := re.Request.PathValue("name")
	return e.changedSecrets(re, map[string]any{"name": name}, e.secrets.Delete(re.Request.Context(), name))
}

// postRotate encrypts all secrets under another key. The values stay, hence the
// functions need not be loaded again.
func (e *Engine) postRotate(re *core.RequestEvent) error {
	var body struct {
		Key string `json:"key"`
	}
	if err := re.BindBody(&body); err != nil {
		return re.BadRequestError("The body must be JSON: {\"key\": \"…\"}.", nil)
	}
	if err := e.secrets.Rotate(re.Request.Context(), body.Key); err != nil {
		return secretsError(re, err)
	}
	return re.JSON(http.StatusOK, map[string]any{"message": "The secrets are encrypted under the new key. Set AGENTRT_SECRETS_KEY to it before the next start."})
}

// changedSecrets loads the functions again after a change. If they fail with it,
// the change stays and the former evaluation keeps answering, which reply says.
func (e *Engine) changedSecrets(re *core.RequestEvent, reply map[string]any, err error) error {
	if err != nil {
		return secretsError(re, err)
	}
	// The change is made: the client's leaving must not stop what follows from it.
	err = e.reactivate(context.WithoutCancel(re.Request.Context()))
	reply["reloaded"] = err == nil
	if err != nil {
		e.report(err)
		reply["error"] = err.Error()
	}
	return re.JSON(http.StatusOK, reply)
}

func secretsError(re *core.RequestEvent, err error) error {
	switch {
	case errors.Is(err, secrets.ErrNotFound):
		return re.NotFoundError(fmt.Sprintf("There is no secret %q.", re.Request.PathValue("name")), nil)
	case errors.Is(err, secrets.ErrInvalid), errors.Is(err, secrets.ErrNoKey), errors.Is(err, secrets.ErrWrongKey):
		return re.BadRequestError(err.Error(), nil)
	}
	return re.InternalServerError("The secrets were not changed.", err)
}
