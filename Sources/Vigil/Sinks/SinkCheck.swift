import Deliveries
import HTTPTransport
import VigilModel

/// Sends something harmless to each sink and finds out whether it reaches somebody.
public struct SinkCheck: Sendable {
    private let sinks: [SinkConfiguration]

    /// Takes the configuration.
    public init(_ configuration: Configuration) { sinks = configuration.sinks }

    /// One finding or more a sink.
    public func run() throws -> [SetupCheck.Finding] {
        guard !sinks.isEmpty else {
            return [
                SetupCheck.Finding(
                    .gap, "sinks", "none is configured: nobody is told of alerts", hint: "see docs/sinks.md")
            ]
        }
        return try sinks.flatMap { sink in
            let tested = try sink.make(store: nil, number: 0, cancellation: HTTPClient.Cancellation()).test(
                now: .wallClock)
            return tested.map { result in
                let verdict: SetupCheck.Finding.Verdict =
                    switch result.state {
                    case .good: .ok
                    case .doubtful: .gap
                    case .bad: .fail
                    }
                return SetupCheck.Finding(verdict, "sink \(sink.subscription.name)", result.text)
            }
        }
    }
}
