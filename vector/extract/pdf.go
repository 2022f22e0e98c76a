package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klippa-app/go-pdfium"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

const (
	maxPDFs     = 2    // at a time
	memoryPages = 4096 // of 64 KiB, for one PDF
)

// pdfReader runs PDFium, a new instance for each file.
type pdfReader struct {
	cacheDir string

	mu     sync.Mutex
	closed bool
	pool   pdfium.Pool
	cache  wazero.CompilationCache
}

// start makes the runtime once.
func (r *pdfReader) start() (pdfium.Pool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("extract: closed")
	}
	if r.pool != nil {
		return r.pool, nil
	}
	// WithCloseOnContextDone also lets the garbage collector stop the code.
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithCloseOnContextDone(true).
		WithMemoryLimitPages(memoryPages)
	if r.cacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(r.cacheDir)
		if err != nil {
			return nil, fmt.Errorf("extract: the cache of compiled code: %w", err)
		}
		r.cache, config = cache, config.WithCompilationCache(cache)
	}
	pool, err := webassembly.Init(webassembly.Config{
		MaxTotal: maxPDFs, RuntimeConfig: config,
		FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("extract: PDFium: %w", err), r.closeCache())
	}
	r.pool = pool
	return pool, nil
}

func (r *pdfReader) closeCache() error {
	if r.cache == nil {
		return nil
	}
	defer func() { r.cache = nil }()
	return r.cache.Close(context.Background())
}

func (r *pdfReader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.pool == nil {
		return nil
	}
	err := r.pool.Close()
	r.pool = nil
	return errors.Join(err, r.closeCache())
}

func (r *pdfReader) text(ctx context.Context, data []byte) (Document, error) {
	pool, err := r.start()
	if err != nil {
		return Document{}, err
	}
	instance, err := pool.GetInstanceWithContext(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return Document{}, err
	}
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		_ = instance.Kill() // the module ends with exit code; the pool makes another
	})
	d, err := readPDF(ctx, instance, data)
	if !stop() {
		<-killed
		return Document{}, context.Cause(ctx)
	}
	return d, errors.Join(err, instance.Close())
}

func readPDF(ctx context.Context, instance pdfium.Pdfium, data []byte) (d Document, err error) {
	wrong := func(err error) (Document, error) { return d, fmt.Errorf("%w: %w", ErrMalformed, err) }
	doc, err := instance.OpenDocument(&requests.OpenDocument{File: &data})
	if errors.Is(err, pdferrors.ErrPassword) || errors.Is(err, pdferrors.ErrSecurity) {
		return d, ErrEncrypted
	}
	if err != nil {
		return wrong(err)
	}
	count, err := instance.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc.Document})
	if err != nil {
		return wrong(err)
	}
	if count.PageCount > MaxPages {
		return d, fmt.Errorf("%w: it has %d pages, want at most %d", ErrTooLarge, count.PageCount, MaxPages)
	}
	d.Title = title(instance, doc.Document)
	w := new(writer)
	for k := range count.PageCount {
		page, err := instance.GetPageText(&requests.GetPageText{Page: requests.Page{ByIndex: &requests.PageByIndex{Document: doc.Document, Index: k}}})
		if err != nil {
			return wrong(fmt.Errorf("page %d: %w", k+1, err))
		}
		if w.Len() > 0 {
			w.write("\n\n")
		}
		d.Pages = append(d.Pages, Page{Number: k + 1, Start: w.Len()})
		w.write(tidy(page.Text))
		if err := w.done(ctx); err != nil {
			return d, err
		}
	}
	d.Text = w.String()
	return d, nil
}

func title(instance pdfium.Pdfium, document references.FPDF_DOCUMENT) string {
	meta, err := instance.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: document, Tag: "Title"})
	if err != nil {
		return ""
	}
	return meta.Value
}
