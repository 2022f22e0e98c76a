package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/agentrt/agentrt/compat"
	"github.com/spf13/cobra"
)

func compatCommand() *cobra.Command {
	var options compat.Options
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:   "compat",
		Short: "Runs real npm SDKs in functions and compares them with Node; needs npm",
		Long: `Installs the SDKs at pinned versions (once, some 500 MB), runs programs that use them
in functions and under Node 24 from npm, against a built-in model server, and
compares responses and requests. Exits with 1 if a program fails that is not known to,
or passes although it is known to fail.

Suites: ` + strings.Join(compat.Suites(), ", "),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Progress = cmd.ErrOrStderr()
			expected, err := compat.Expected()
			if err != nil {
				return err
			}
			report, err := compat.Run(cmd.Context(), options)
			if err != nil {
				return err
			}
			if err := printReport(cmd.OutOrStdout(), report, expected, asJSON, asMarkdown); err != nil {
				return err
			}
			if lines := expected.Regressions(report); len(lines) > 0 {
				return errors.New("regressions:\n  " + strings.Join(lines, "\n  "))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&options.Suites, "suite", nil, "run this suite only (repeatable)")
	flags.StringVar(&options.Test, "test", "", "run programs of this name only; * and ? match any text")
	flags.StringVar(&options.Dir, "cache", "", "the folder for packages and compiled code (default in the user's cache directory)")
	flags.BoolVar(&options.Verbose, "verbose", false, "show what each program did in both runtimes")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	flags.BoolVar(&asMarkdown, "markdown", false, "print the report as a Markdown table")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

func printReport(out io.Writer, report *compat.Report, expected compat.Expectations, asJSON, asMarkdown bool) error {
	switch {
	case asJSON:
		return json.NewEncoder(out).Encode(report)
	case asMarkdown:
		_, err := fmt.Fprint(out, report.Markdown(expected))
		return err
	}
	return report.Table(out)
}
