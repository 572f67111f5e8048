package server

import "github.com/vektah/gqlparser/v2"

// checkDocuments logs listed documents that cannot run, so that operators hear of them
// before callers do.
func (s *Server) checkDocuments() {
	for name, document := range s.options.Documents {
		err := s.options.Limits.Check(document)
		if err == nil {
			if _, errs := gqlparser.LoadQueryWithRules(s.options.Schema.Schema(), document, validation()); len(errs) > 0 {
				err = errs
			}
		}
		if err != nil {
			s.options.Logger.Warn("a listed document does not run", "document", name, "error", err)
		}
	}
}
