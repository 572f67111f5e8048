package responder

import (
	"context"

	"parley/internal/desk/component"
)

// Respond runs the job of an acknowledgement.
func (s *Service) Respond(ctx context.Context, conversation int64) error {
	return s.respond(ctx, respond{conversation, component.Acknowledgement})
}
