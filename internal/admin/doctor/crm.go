package doctor

import (
	"context"
	"fmt"
	"time"

	"parley/internal/desk/crmsync"
)

// behindLong is how long ago a CRM may have been read to its end.
const behindLong = time.Hour

// crms looks for connections to CRMs that fail, are behind, or could not write.
func (e *examination) crms(ctx context.Context) (Finding, error) {
	all, err := crmsync.Healths(ctx, e.store, e.now)
	if err != nil {
		return Finding{}, err
	}
	for _, h := range all {
		if h.Problem != "" {
			return warn(fmt.Sprintf("Correct what it says, then run parley sync test %s. Parley tries again by itself.", h.ConnectionID),
				"The connection to the CRM %q fails: %s", h.Name, h.Problem), nil
		}
	}
	for _, h := range all {
		if h.Lag > behindLong {
			return warn(fmt.Sprintf("Check that a server is running. If it is, parley sync status %s shows how far it has come: the first round of a large CRM takes hours.", h.ConnectionID),
				"The CRM %q was read to its end %s ago, or was connected then and never read to its end.", h.Name, h.Lag.Round(time.Minute)), nil
		}
	}
	for _, h := range all {
		if h.FailedWrites > 0 {
			return warn("Run parley action runs to see which and why, correct the cause, then parley action rerun RUN.",
				"%s did not get to the CRM %q.", count(h.FailedWrites, "change by an action", "changes by actions"), h.Name), nil
		}
	}
	if len(all) == 0 {
		return ok("No connection to a CRM is active."), nil
	}
	return ok("%s in order.", count(int64(len(all)), "connection to a CRM is", "connections to CRMs are")), nil
}
