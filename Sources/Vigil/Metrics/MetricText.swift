/// Metrics as text: Prometheus's format 0.0.4, or OpenMetrics 1.0.
enum MetricText {
    /// The two forms.
    enum Form: Sendable {
        case prometheus, openMetrics

        var type: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// The one that a client would rather have, by its `Accept`.
        init(accept: String?) {
            var open = 0.0
            var plain = accept == nil ? 1.0 : 0.0
            for range in (accept ?? "").lowercased().split(separator: ",") {
                let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
                let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
                switch parts.first {
                case "application/openmetrics-text": open = max(open, weight)
                case "text/plain", "text/*", "*/*": plain = max(plain, weight)
                default: break
                }
            }
            self = open > 0 && open >= plain ? .openMetrics : .prometheus
        }
    }

    /// The text; families without a sample are left out.
    static func render(_ families: [MetricFamily], _ form: Form = .prometheus) -> String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            var name = family.name
            // OpenMetrics names a counter without what its samples end in.
            if form == .openMetrics, family.kind == .counter, name.hasSuffix("_total") { name.removeLast(6) }
            text += "# HELP \(name) \(help(family.help, form))\n# TYPE \(name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name + sample.suffix
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.name)=\"\(label($0.value))\"" }
                    text += "{" + labels.joined(separator: ",") + "}"
                }
                text += " \(number(sample.value))\n"
            }
        }
        return form == .openMetrics ? text + "# EOF\n" : text
    }

    /// A number; whole ones without a point.
    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func label(_ text: String) -> String {
        escaped(text, quote: true)
    }

    private static func help(_ text: String, _ form: Form) -> String { escaped(text, quote: form == .openMetrics) }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
            case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
            case UInt8(ascii: "\"") where quote: bytes += Array("\\\"".utf8)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
