package modelserver

import (
	"net/http"
	"time"
)

// models are the names that /v1/models lists. Every other name answers as well.
var models = []string{"test-model", "test-model-mini", "test-embedding"}

const modelsCreated = 1767830400 // 2026-01-08

func (x *exchange) modelObject(id string) any {
	switch x.shape {
	case shapeAnthropic:
		return map[string]any{"type": "model", "id": id, "display_name": id, "created_at": time.Unix(modelsCreated, 0).UTC()}
	case shapeGoogle:
		return map[string]any{
			"name": "models/" + id, "displayName": id, "version": "1", "inputTokenLimit": MaxTokens, "outputTokenLimit": MaxTokens,
			"supportedGenerationMethods": []string{"generateContent", "streamGenerateContent", "embedContent", "batchEmbedContents"},
		}
	}
	return map[string]any{"id": id, "object": "model", "created": modelsCreated, "owned_by": "agentrt"}
}

func listModels(x *exchange) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	var list []any
	for _, id := range models {
		list = append(list, x.modelObject(id))
	}
	body := map[string]any{"object": "list", "data": list}
	switch x.shape {
	case shapeAnthropic:
		body = map[string]any{"data": list, "has_more": false, "first_id": models[0], "last_id": models[len(models)-1]}
	case shapeGoogle:
		body = map[string]any{"models": list}
	}
	x.write(http.StatusOK, body)
	return nil
}

func getModel(x *exchange, id string) error {
	if _, err := x.configure(""); err != nil {
		return err
	}
	for _, known := range models {
		if known == id {
			x.write(http.StatusOK, x.modelObject(id))
			return nil
		}
	}
	return &apiError{status: http.StatusNotFound, code: "model_not_found", param: "model", message: "The model '" + id + "' does not exist. GET /v1/models lists those that are listed; any name may be used for answers."}
}
