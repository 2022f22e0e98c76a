package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/agentrt/agentrt/agentrt/secrets"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// Environment variables with the keys of the secrets.
const (
	secretsKey    = "AGENTRT_SECRETS_KEY"
	newSecretsKey = "AGENTRT_SECRETS_NEW_KEY"
)

// secretsCommand changes the secrets in app's data; app may be nil for keygen.
func secretsCommand(app core.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Sets, lists, deletes and rotates the secrets that pb.secrets.get gives to functions",
		Long: `Changes the secrets in the data folder (--dir). They are encrypted under the key in
` + secretsKey + `: 32 bytes in base64 or hexadecimal, as keygen prints, or a passphrase.
A running server takes changes over within seconds.`,
	}
	open := func(cmd *cobra.Command) (*secrets.Vault, error) {
		vault := secrets.New(app, os.Getenv(secretsKey))
		return vault, vault.Open(cmd.Context())
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "set NAME", Short: "Keeps the text on standard input, without its last line break, under NAME", Args: cobra.ExactArgs(1), SilenceUsage: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				if err := secrets.CheckName(args[0]); err != nil {
					return err
				}
				value, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), secrets.MaxValue+3))
				if err != nil {
					return fmt.Errorf("reading the value: %w", err)
				}
				vault, err := open(cmd)
				if err != nil {
					return err
				}
				return vault.Set(cmd.Context(), args[0], strings.TrimSuffix(strings.TrimSuffix(string(value), "\n"), "\r"))
			},
		},
		&cobra.Command{
			Use: "list", Short: "Lists names and the times of their last change", Args: cobra.NoArgs, SilenceUsage: true,
			RunE: func(cmd *cobra.Command, _ []string) error {
				vault, err := open(cmd)
				if err != nil {
					return err
				}
				all, err := vault.List(cmd.Context())
				for _, s := range all {
					fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", s.Name, s.Updated.Format("2006-01-02 15:04:05Z"))
				}
				return err
			},
		},
		&cobra.Command{
			Use: "delete NAME", Short: "Deletes a secret", Args: cobra.ExactArgs(1), SilenceUsage: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				vault, err := open(cmd)
				if err != nil {
					return err
				}
				return vault.Delete(cmd.Context(), args[0])
			},
		},
		&cobra.Command{
			Use: "rotate", Short: "Encrypts all secrets under the key in " + newSecretsKey, Args: cobra.NoArgs, SilenceUsage: true,
			RunE: func(cmd *cobra.Command, _ []string) error {
				key := os.Getenv(newSecretsKey)
				if key == "" {
					return errors.New("set " + newSecretsKey + " to the new key (\"agentrt secrets keygen\" prints one)")
				}
				vault, err := open(cmd)
				if err != nil {
					return err
				}
				if err := vault.Rotate(cmd.Context(), key); err != nil {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "All secrets are encrypted under the new key. Set "+secretsKey+" to it and restart the server.")
				return nil
			},
		},
		&cobra.Command{
			Use: "keygen", Short: "Prints a new random key for " + secretsKey, Args: cobra.NoArgs, SilenceUsage: true,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), secrets.GenerateKey())
				return err
			},
		},
	)
	return cmd
}
