package modelserver

import (
	"bytes"
	"encoding/base64"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"time"
)

// maxImages is the number of images of one request.
const maxImages = 10

// createImages serves https://platform.openai.com/docs/api-reference/images/create with
// PNG files of one pixel, whose colour follows from the prompt.
func createImages(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	var req struct {
		Prompt string `json:"prompt"`
		Model  string `json:"model"`
		N      *int   `json:"n"`
		Size   string `json:"size"`
	}
	if err := decode(body, &req); err != nil {
		return err
	}
	if req.Prompt == "" {
		return badRequest("prompt", "Missing required parameter: 'prompt'.")
	}
	if _, err := x.configure(req.Model); err != nil {
		return err
	}
	n := 1
	if req.N != nil {
		if n = *req.N; n < 1 || n > maxImages {
			return badRequest("n", "n is %d, want 1 to %d", n, maxImages)
		}
	}
	data := make([]any, n)
	for i := range data {
		file, err := pixel(req.Prompt, i)
		if err != nil {
			return err
		}
		data[i] = map[string]string{"b64_json": base64.StdEncoding.EncodeToString(file), "revised_prompt": req.Prompt}
	}
	tokens := countTokens(req.Prompt)
	return x.whole(&answer{}, map[string]any{
		"created": time.Now().Unix(), "data": data, "output_format": "png", "size": req.Size,
		"usage": map[string]any{
			"input_tokens": tokens, "output_tokens": n, "total_tokens": tokens + n,
			"input_tokens_details": map[string]int{"text_tokens": tokens, "image_tokens": 0},
		},
	})
}

// pixel is a PNG file of one pixel.
func pixel(prompt string, salt int) ([]byte, error) {
	hash := fnv.New32a()
	hash.Write([]byte(prompt))
	hash.Write([]byte{byte(salt)})
	sum := hash.Sum32()
	img := image.NewRGBA(image.Rect(0, 0, 1, 1))
	img.Set(0, 0, color.RGBA{byte(sum), byte(sum >> 8), byte(sum >> 16), 255})
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
