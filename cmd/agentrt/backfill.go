package main

import (
	"fmt"

	"github.com/agentrt/agentrt/agentrt"
	"github.com/agentrt/agentrt/agentrt/autoembed"
	"github.com/spf13/cobra"
)

// backfillCommand is a part of vectorsCommand; engine gives the engine once the command
// runs.
func backfillCommand(engine func() *agentrt.Engine) *cobra.Command {
	return &cobra.Command{
		Use:   "backfill [COLLECTION]",
		Short: "Computes the vectors that fields with the option embed lack",
		Long: `Embeds the texts of the records that have no vector, or that of another text, model
or dimension: of all collections or of one. It may run while the server does, and
goes on where it was if it is interrupted.`,
		Args: cobra.MaximumNArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			collection := ""
			if len(args) == 1 {
				collection = args[0]
			}
			b, embedded := newBar(cmd.ErrOrStderr()), map[string]int{}
			err := engine().Backfill(cmd.Context(), collection, func(p autoembed.Progress) {
				embedded[p.Place] = p.Embedded
				b.show(p.Place, p.Done, p.Total, fmt.Sprintf(", %d embedded", p.Embedded))
			})
			b.end()
			sum := 0
			for _, n := range embedded {
				sum += n
			}
			if err == nil || sum > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%d records were embedded.\n", sum)
			}
			return err
		},
	}
}
