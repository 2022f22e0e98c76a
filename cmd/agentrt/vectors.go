package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/agentrt/agentrt/vector/vectorfield"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// vectorsCommand looks after the vector fields in app's data.
func vectorsCommand(app core.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vectors",
		Short: "Counts, verifies and indexes anew the vectors of records",
		Long: `Works on the vector fields in the data folder (--dir), all of them or those of one
collection, also beside a running server.`,
	}
	each := func(f func(*cobra.Command, *vectorfield.Vectors, vectorfield.Place) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			vectors := vectorfield.Of(app)
			if vectors == nil {
				return errors.New("vectors are not set up")
			}
			places, err := vectors.Places(app, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if len(places) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "There is no vector field.")
			}
			var failed error
			for _, p := range places {
				if err := f(cmd, vectors, p); err != nil {
					failed = errors.Join(failed, fmt.Errorf("%s: %w", p, err))
				}
			}
			return failed
		}
	}
	status := &cobra.Command{
		Use: "status [COLLECTION]", Short: "Shows each field's dimensions, metric, and how many records have vectors and words", Args: cobra.MaximumNArgs(1), SilenceUsage: true,
	}
	status.RunE = func(cmd *cobra.Command, args []string) error {
		table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "FIELD\tDIMENSIONS\tMETRIC\tRECORDS\tVECTORS\tWITHOUT\tWORDS\tSEARCH")
		err := each(func(cmd *cobra.Command, v *vectorfield.Vectors, p vectorfield.Place) error {
			s, err := v.Status(cmd.Context(), app, p)
			if err != nil {
				return err
			}
			search := "compares all"
			if s.Indexed {
				search = "index"
			}
			space := p.Field.Space(p.Collection)
			fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%d\t%d\t%d\t%s\n", p, space.Dim, space.Metric, s.Records, s.Vectors, s.Records-s.Vectors, s.Documents, search)
			return nil
		})(cmd, args)
		return errors.Join(err, table.Flush())
	}
	cmd.AddCommand(status,
		&cobra.Command{
			Use: "reindex [COLLECTION]", Short: "Makes the indexes of vectors and words anew, beside reads and writes", Args: cobra.MaximumNArgs(1), SilenceUsage: true,
			RunE: each(func(cmd *cobra.Command, v *vectorfield.Vectors, p vectorfield.Place) error {
				bar := newBar(cmd.ErrOrStderr())
				defer bar.end()
				return v.Reindex(cmd.Context(), app, p, func(done, total int) { bar.show("reindex "+p.String(), done, total, "") })
			}),
		},
		&cobra.Command{
			Use: "verify [COLLECTION]", Short: "Compares records, vectors and indexes; fails if they disagree", Args: cobra.MaximumNArgs(1), SilenceUsage: true,
			RunE: each(func(cmd *cobra.Command, v *vectorfield.Vectors, p vectorfield.Place) error {
				bar := newBar(cmd.ErrOrStderr())
				r, err := v.Verify(cmd.Context(), app, p, func(done, total int) { bar.show("verify "+p.String(), done, total, "") })
				bar.end()
				if err != nil {
					return err
				}
				printVerified(cmd.OutOrStdout(), r)
				if !r.OK() {
					return errors.New("records, vectors and indexes disagree: reindex repairs indexes; missing and wrong vectors must be set again")
				}
				return nil
			}),
		})
	return cmd
}

func printVerified(out io.Writer, r vectorfield.Report) {
	state := "agree"
	if !r.OK() {
		state = "DISAGREE"
	}
	fmt.Fprintf(out, "%s: records and vectors %s: %d vectors, %d missing, %d wrong, %d stale", r.Place, state, r.Vectors, r.Missing, r.Wrong, r.Stale)
	if r.Index.Indexed {
		fmt.Fprintf(out, "; index: %d missing, %d wrong, %d stale", r.Index.Missing, r.Index.Wrong, r.Index.Stale)
	}
	if len(r.Field.TextFields()) > 0 {
		fmt.Fprintf(out, "; words: %d records, %d wrong, %d stale", r.Documents, r.WrongDocuments, r.StaleDocuments)
	}
	fmt.Fprintln(out)
}
