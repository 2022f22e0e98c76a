package compat

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is the result of a run.
type Report struct {
	Suites []Suite `json:"suites"`
}

// Suite is the result of the programs of one SDK.
type Suite struct {
	Name     string    `json:"name"`
	Version  string    `json:"version"` // of the SDK
	Pass     int       `json:"pass"`
	Fail     int       `json:"fail"`
	Failures []Failure `json:"failures"`

	passed []string
	whole  bool // all programs ran
}

// Failure is a program that failed.
type Failure struct {
	Test   string `json:"test"`
	Reason string `json:"reason"`
}

// Table writes the report for people.
func (r *Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SDK\tversion\tpass\tfail")
	pass, fail := 0, 0
	for _, s := range r.Suites {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\n", s.pkg(), s.Version, s.Pass, s.Fail)
		pass, fail = pass+s.Pass, fail+s.Fail
	}
	fmt.Fprintf(t, "all\t\t%d\t%d\n", pass, fail)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Suites {
		for _, f := range s.Failures {
			if _, err := fmt.Fprintf(w, "\n%s/%s: %s\n", s.Name, f.Test, f.Reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// Markdown is the table of the README, with the reasons of expected failures.
func (r *Report) Markdown(expected Expectations) string {
	var b strings.Builder
	b.WriteString("| SDK | version | programs | pass | failing |\n|---|---|---|---|---|\n")
	for _, s := range r.Suites {
		var failing []string
		for _, f := range s.Failures {
			why := expected[s.Name][f.Test]
			if why == "" {
				why = "not expected"
			}
			failing = append(failing, f.Test+": "+why)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %s |\n", s.pkg(), s.Version, s.Pass+s.Fail, s.Pass, strings.Join(failing, "; "))
	}
	return b.String()
}

func (s *Suite) pkg() string {
	for _, known := range suites {
		if known.name == s.Name {
			return known.pkg
		}
	}
	return s.Name
}
