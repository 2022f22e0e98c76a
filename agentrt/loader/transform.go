package loader

import (
	"github.com/evanw/esbuild/pkg/api"
)

// Transform turns one TypeScript module into JavaScript, without bundling: imports
// stay. Mistakes are an *Error.
func Transform(source string) (code []byte, err error) {
	result := api.Transform(source, api.TransformOptions{
		Loader:     api.LoaderTS,
		Format:     api.FormatESModule,
		Target:     api.ES2023,
		Sourcefile: "source.ts",
		LogLevel:   api.LogLevelSilent,
	})
	if len(result.Errors) == 0 {
		return result.Code, nil
	}
	e := &Error{}
	for _, m := range result.Errors {
		e.Diagnostics = append(e.Diagnostics, (&builder{}).diagnostic(m))
	}
	return nil, e
}
