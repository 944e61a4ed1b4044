/// A metric with its samples, as Prometheus reads it.
struct MetricFamily: Sendable {
    /// What its values mean.
    enum Kind: String, Sendable { case counter, gauge, histogram }

    /// One value, told apart from others of the family by its labels.
    struct Sample: Sendable {
        /// What comes behind the family's name: `_bucket`.
        var suffix = ""
        let labels: [(name: String, value: String)]
        let value: Double
    }

    let name: String
    let kind: Kind
    let help: String
    private(set) var samples: [Sample] = []

    init(_ kind: Kind, _ name: String, _ help: String) {
        (self.kind, self.name, self.help) = (kind, name, help)
    }

    /// A family of one value without labels.
    init(_ kind: Kind, _ name: String, _ help: String, value: Double?) {
        self.init(kind, name, help)
        if let value { add([], value) }
    }

    mutating func add(_ labels: [(name: String, value: String)], _ value: Double) {
        samples.append(Sample(labels: labels, value: value))
    }

    mutating func add(_ histogram: Histogram) {
        for (bound, count) in histogram.cumulative {
            samples.append(
                Sample(suffix: "_bucket", labels: [("le", MetricText.number(bound))], value: Double(count)))
        }
        samples.append(Sample(suffix: "_sum", labels: [], value: histogram.sum))
        samples.append(Sample(suffix: "_count", labels: [], value: Double(histogram.count)))
    }
}

/// How often values fell below bounds.
struct Histogram: Sendable {
    private let bounds: [Double]
    private var counts: [Int64]
    private(set) var sum = 0.0
    private(set) var count: Int64 = 0

    init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = bounds.map { _ in 0 }
    }

    mutating func add(_ value: Double) {
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
        sum += value
        count += 1
    }

    /// Each bound with how many values were no larger; the last is infinite.
    var cumulative: [(bound: Double, count: Int64)] {
        var total: Int64 = 0
        var result: [(bound: Double, count: Int64)] = []
        for (bound, count) in zip(bounds, counts) {
            total += count
            result.append((bound, total))
        }
        return result + [(.infinity, count)]
    }
}
