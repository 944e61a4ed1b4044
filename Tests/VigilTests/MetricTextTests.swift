import EventStore
import Foundation
import Responses
import Testing
import VigilModel

@testable import Vigil

@Suite("Metrics: the text")
struct MetricTextTests {
    @Test("a family has HELP and TYPE once, labels and help escape what would break them, the last line ends")
    func text() {
        var family = MetricFamily(.counter, "pgvigil_x_total", "A \"thing\" \\ and\nmore.")
        family.add([("source", "a\"b\\c\nd\té")], 3)
        family.add([("source", "x")], 0.25)
        let empty = MetricFamily(.gauge, "pgvigil_nothing", "Left out.")
        #expect(
            MetricText.render([family, empty]) == """
                # HELP pgvigil_x_total A "thing" \\\\ and\\nmore.
                # TYPE pgvigil_x_total counter
                pgvigil_x_total{source="a\\"b\\\\c\\nd\té"} 3
                pgvigil_x_total{source="x"} 0.25

                """)
    }

    @Test("OpenMetrics names a counter's family without _total, and ends with EOF") func openMetrics() {
        let family = MetricFamily(.counter, "pgvigil_x_total", "A \"thing\".", value: 1)
        #expect(
            MetricText.render([family], .openMetrics) == """
                # HELP pgvigil_x A \\"thing\\".
                # TYPE pgvigil_x counter
                pgvigil_x_total 1
                # EOF

                """)
    }

    @Test("the last bucket of a histogram is its count") func histogram() {
        var histogram = Histogram([0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { histogram.add(value) }
        var family = MetricFamily(.histogram, "pgvigil_t_seconds", "Time.")
        family.add(histogram)
        #expect(
            MetricText.render([family]).split(separator: "\n").dropFirst(2) == [
                "pgvigil_t_seconds_bucket{le=\"0.1\"} 2", "pgvigil_t_seconds_bucket{le=\"1\"} 3",
                "pgvigil_t_seconds_bucket{le=\"+Inf\"} 4", "pgvigil_t_seconds_sum 7.65", "pgvigil_t_seconds_count 4",
            ])
    }

    @Test("numbers are written as Prometheus reads them") func numbers() {
        #expect(MetricText.number(1_795_698_840) == "1795698840")
        #expect(MetricText.number(0.5) == "0.5")
        #expect(MetricText.number(-3) == "-3")
        #expect(MetricText.number(1e300) == "1e+300")
        #expect(MetricText.number(.nan) == "NaN")
        #expect(MetricText.number(-.infinity) == "-Inf")
    }

    @Test(
        "the form is the one that the client would rather have",
        arguments: [
            (nil, false), ("*/*", false), ("text/plain", false), ("application/openmetrics-text", true),
            ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", false), ("application/openmetrics-text;q=0, */*", false),
            ("application/openmetrics-text; version=1.0.0; q=0.2, text/plain; q=0.8", false), ("image/png", false),
        ])
    func accept(header: String?, isOpen: Bool) {
        #expect(MetricText.Form(accept: header).type.hasPrefix("application/openmetrics") == isOpen)
    }

    @Test(
        "reasons become words for a label",
        arguments: [
            ("no record", "no_record"), ("27 columns instead of 23, 24 or 26", "columns_instead_of_or"),
            ("12", "other"), ("é\"\n", "other"),
        ])
    func reasons(text: String, word: String) { #expect(WatchMeter.Source.word(text) == word) }

    @Test("counters never go back, though rules begin anew") func monotonic() {
        let meter = WatchMeter()
        meter.note(rules: [("a", 3, 5)])
        meter.note(rules: [("a", 2, 9)])
        meter.note(rules: [("a", 0, 1)])
        #expect(meter.snapshot.rules["a"]?.evictions == 10)
        #expect(meter.snapshot.rules["a"]?.entries == 0)
    }

    @Test("every known rule has a counter before it alerts") func rules() throws {
        let meter = WatchMeter()
        let rules = try Configuration().catalogue().rules
        meter.know(rules)
        let counts = meter.snapshot
        #expect(counts.alerts.count == rules.filter(\.enabled).count + 2)
        #expect(counts.alerts.values.allSatisfy { $0.count == 0 })
    }
}
