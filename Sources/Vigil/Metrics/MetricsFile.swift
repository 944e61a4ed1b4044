import Foundation
import LocatedYAML

/// A file of metrics for node_exporter's textfile collector, written anew again and again: whoever reads it sees a whole
/// one.
enum MetricsFile {
    /// Time between two writings.
    static let interval = Duration.seconds(15)

    /// What is wrong with a path; nil when nothing is. The collector takes `*.prom` only.
    static func problem(_ path: String) -> String? {
        path.hasSuffix(".prom") ? nil : "node_exporter reads files named *.prom only"
    }

    static func path(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let path = try value.text()
        if let problem = problem(path) { throw value.problem(problem) }
        return path
    }

    static func write(_ families: [MetricFamily], to path: String) throws {
        _ = try AtomicFile.write(MetricText.render(families), to: path)
    }
}
