package selection

import "github.com/prometheus/client_golang/prometheus"

// counts tell how operations were answered.
type counts struct {
	operations         *prometheus.CounterVec
	compiled, executor prometheus.Counter
}

func newCounts() counts {
	operations := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_selection_operations_total",
		Help: "Operations executed by a compiled plan, and by the generated executor.",
	}, []string{"path"})
	return counts{operations, operations.WithLabelValues("compiled"), operations.WithLabelValues("executor")}
}

// Collectors are the metrics of the compiled operations, to be registered.
func (s *Schema) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.counts.operations}
}
