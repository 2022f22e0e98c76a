package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/agentrt/agentrt/agentrt/jobs"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// jobsCommand shows and changes the jobs in app's data.
func jobsCommand(app core.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "Lists, shows, retries, cancels and removes the jobs of pb.jobs",
		Long: `Shows and changes the jobs in the data folder (--dir). A running server takes changes
over within a second. Jobs that failed in their last attempt have the state discarded.`,
	}
	with := func(f func(ctx context.Context, q *jobs.Queue, out io.Writer, args []string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) (err error) {
			q := jobs.New(app, jobs.Config{})
			if err := q.Open(cmd.Context()); err != nil {
				return err
			}
			defer func() {
				if closing := q.Stop(cmd.Context()); err == nil {
					err = closing
				}
			}()
			return f(cmd.Context(), q, cmd.OutOrStdout(), args)
		}
	}
	one := func(change func(q *jobs.Queue, ctx context.Context, id string) (jobs.Info, error)) func(*cobra.Command, []string) error {
		return with(func(ctx context.Context, q *jobs.Queue, out io.Writer, ids []string) error {
			for _, id := range ids {
				info, err := change(q, ctx, id)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "%s\t%s\t%s\n", info.ID, info.Topic, info.State)
			}
			return nil
		})
	}
	var filter jobs.Filter
	var states []string
	list := &cobra.Command{
		Use: "list", Short: "Lists jobs, the youngest first", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: with(func(ctx context.Context, q *jobs.Queue, out io.Writer, _ []string) error {
			for _, s := range states {
				filter.States = append(filter.States, jobs.State(s))
			}
			items, next, err := q.List(ctx, filter)
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "ID\tTOPIC\tSTATE\tATTEMPT\tCREATED\tRUN AT\tLAST ERROR")
			for _, j := range items {
				fmt.Fprintf(table, "%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\n", j.ID, j.Topic, j.State, j.Attempt, j.MaxAttempts, clock(j.CreatedAt), clock(j.RunAt), lastError(j))
			}
			if next != "" {
				fmt.Fprintf(table, "more: --cursor %s\n", next)
			}
			return table.Flush()
		}),
	}
	list.Flags().StringVar(&filter.Topic, "topic", "", "only jobs of this topic")
	list.Flags().StringSliceVar(&states, "state", nil, "only jobs in this state ("+stateNames()+"; repeatable)")
	list.Flags().IntVar(&filter.Limit, "limit", 100, fmt.Sprintf("jobs to list, at most %d", jobs.MaxPage))
	list.Flags().StringVar(&filter.Cursor, "cursor", "", "where the former page ended")
	var topic string
	var discarded bool
	retry := &cobra.Command{
		Use: "retry [ID...]", Short: "Runs jobs again that ended, or those that wait now", SilenceUsage: true,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) > 0) == discarded {
				return fmt.Errorf("give the ids of jobs, or --discarded for all that failed in their last attempt")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !discarded {
				return one((*jobs.Queue).Retry)(cmd, args)
			}
			return with(func(ctx context.Context, q *jobs.Queue, out io.Writer, _ []string) error {
				n, err := q.RetryDiscarded(ctx, topic)
				fmt.Fprintf(out, "%d jobs run again\n", n)
				return err
			})(cmd, args)
		},
	}
	retry.Flags().BoolVar(&discarded, "discarded", false, "all discarded jobs")
	retry.Flags().StringVar(&topic, "topic", "", "with --discarded: only those of this topic")
	cmd.AddCommand(list, retry,
		&cobra.Command{
			Use: "show ID", Short: "Shows a job with its payload and errors as JSON", Args: cobra.ExactArgs(1), SilenceUsage: true,
			RunE: with(func(ctx context.Context, q *jobs.Queue, out io.Writer, args []string) error {
				info, err := q.Get(ctx, app, args[0])
				if err != nil {
					return err
				}
				encoder := json.NewEncoder(out)
				encoder.SetIndent("", "  ")
				encoder.SetEscapeHTML(false)
				return encoder.Encode(info)
			}),
		},
		&cobra.Command{
			Use: "cancel ID...", Short: "Cancels jobs that wait or run", Args: cobra.MinimumNArgs(1), SilenceUsage: true,
			RunE: one(func(q *jobs.Queue, ctx context.Context, id string) (jobs.Info, error) { return q.Cancel(ctx, app, id) }),
		},
		&cobra.Command{
			Use: "discard ID...", Short: "Removes jobs that do not run, for good", Args: cobra.MinimumNArgs(1), SilenceUsage: true,
			RunE: one((*jobs.Queue).Discard),
		},
		&cobra.Command{
			Use: "stats", Short: "Counts jobs by topic and state", Args: cobra.NoArgs, SilenceUsage: true,
			RunE: with(func(ctx context.Context, q *jobs.Queue, out io.Writer, _ []string) error {
				topics, err := q.Stats(ctx)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				fmt.Fprint(table, "TOPIC")
				for _, s := range jobs.States {
					fmt.Fprintf(table, "\t%s", strings.ToUpper(string(s)))
				}
				fmt.Fprintln(table)
				for _, t := range topics {
					fmt.Fprint(table, t.Topic)
					for _, s := range jobs.States {
						fmt.Fprintf(table, "\t%d", t.States[s])
					}
					fmt.Fprintln(table)
				}
				return table.Flush()
			}),
		},
	)
	return cmd
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// lastError is the first line of a job's last error.
func lastError(j jobs.Info) string {
	if len(j.Errors) == 0 {
		return ""
	}
	line, _, _ := strings.Cut(j.Errors[len(j.Errors)-1].Error, "\n")
	if runes := []rune(line); len(runes) > 80 {
		line = string(runes[:80]) + "…"
	}
	return line
}

func stateNames() string {
	names := make([]string, len(jobs.States))
	for k, s := range jobs.States {
		names[k] = string(s)
	}
	return strings.Join(names, ", ")
}
