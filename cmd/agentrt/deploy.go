package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/deployment"
	"github.com/agentrt/agentrt/agentrt/loader"
	"github.com/spf13/cobra"
)

// maxReply bounds a server's answer to deploy, in bytes.
const maxReply = 1 << 20

type deployer struct {
	url, token, email, password string
}

func deployCommand() *cobra.Command {
	var (
		d              deployer
		dir, rollback  string
		list, prebuilt bool
	)
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Builds the functions and makes them answer on a running server",
		Long: `Builds the functions and uploads them to a running agentrt server, which checks
them and then switches; streams in flight end on the former version.

The superuser comes from --token, or --email with --password, or the environment:
AGENTRT_TOKEN, AGENTRT_EMAIL, AGENTRT_PASSWORD.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := d.authenticate(ctx); err != nil {
				return err
			}
			switch {
			case list:
				return d.list(ctx)
			case rollback != "":
				return d.call(ctx, http.MethodPost, "/api/agentrt/deployments/"+rollback+"/activate", "", nil, os.Stdout)
			}
			bundle, err := deployable(ctx, dir, prebuilt)
			if err != nil {
				return err
			}
			return d.upload(ctx, bundle)
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.url, "url", "http://127.0.0.1:8090", "the server")
	f.StringVar(&d.token, "token", os.Getenv("AGENTRT_TOKEN"), "a superuser's token")
	f.StringVar(&d.email, "email", os.Getenv("AGENTRT_EMAIL"), "a superuser's e-mail address")
	f.StringVar(&d.password, "password", os.Getenv("AGENTRT_PASSWORD"), "the superuser's password")
	f.StringVar(&dir, "functions", "pb_serverless", "the folder of the functions")
	f.BoolVar(&prebuilt, "prebuilt", false, "upload <functions>/dist as it is")
	f.BoolVar(&list, "list", false, "list the server's versions")
	f.StringVar(&rollback, "rollback", "", "make this version answer again")
	for _, secret := range []string{"token", "password"} {
		f.Lookup(secret).DefValue = "" // not in the help text
	}
	return cmd
}

func deployable(ctx context.Context, dir string, prebuilt bool) (*loader.Bundle, error) {
	if prebuilt {
		return loader.Read(filepath.Join(dir, "dist"))
	}
	return loader.Load(ctx, dir, agentrt.LoaderOptions())
}

func (d *deployer) authenticate(ctx context.Context) error {
	if d.token != "" {
		return nil
	}
	if d.email == "" || d.password == "" {
		return errors.New("a superuser is needed: --token, or --email and --password")
	}
	body, err := json.Marshal(map[string]string{"identity": d.email, "password": d.password})
	if err != nil {
		return err
	}
	var reply bytes.Buffer
	if err := d.call(ctx, http.MethodPost, "/api/collections/_superusers/auth-with-password", "application/json", bytes.NewReader(body), &reply); err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	var auth struct{ Token string }
	if err := json.Unmarshal(reply.Bytes(), &auth); err != nil || auth.Token == "" {
		return errors.New("signing in: the server sent no token")
	}
	d.token = auth.Token
	return nil
}

func (d *deployer) upload(ctx context.Context, bundle *loader.Bundle) error {
	dir, err := os.MkdirTemp("", "agentrt-deploy-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := bundle.Write(dir); err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range agentrt.BundleFiles {
		part, err := form.CreateFormFile(name, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if _, err := part.Write(data); err != nil {
			return err
		}
	}
	if err := form.Close(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "uploading version %s (%d KiB)\n", deployment.Version(bundle), body.Len()>>10)
	return d.call(ctx, http.MethodPost, "/api/agentrt/deployments", form.FormDataContentType(), &body, os.Stdout)
}

func (d *deployer) list(ctx context.Context) error {
	return d.call(ctx, http.MethodGet, "/api/agentrt/deployments", "", nil, os.Stdout)
}

// call copies the body of a successful reply to out.
func (d *deployer) call(ctx context.Context, method, path, contentType string, body io.Reader, out io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(d.url, "/")+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", d.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		var reply struct{ Message string }
		if json.Unmarshal(text, &reply) == nil && reply.Message != "" {
			return fmt.Errorf("the server answered %s: %s", res.Status, reply.Message)
		}
		return fmt.Errorf("the server answered %s", res.Status)
	}
	_, err = fmt.Fprintln(out, strings.TrimSpace(string(text)))
	return err
}
