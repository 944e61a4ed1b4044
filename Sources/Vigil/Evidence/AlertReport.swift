import EventStore
import Patterns
import VigilModel

/// An alert whole: what the rule says of itself, and the records behind it as they stand in their files.
public struct AlertReport {
    /// What the store holds of it.
    public let alert: AlertDetail
    /// What the catalogue says of its rule today; nil when it has no such rule any more.
    public let rule: (description: String, place: String, falsePositives: [String])?
    /// True when the rule was another one when the alert was raised.
    public let isOlderRule: Bool
    private let finder: RecordFinder

    /// Takes the alert whose id begins so. Throws what is wrong with the id or the catalogue.
    public init(_ prefix: String, in store: Store, configuration: Configuration) throws {
        alert = try store.alert(prefix)
        let id = alert.rule
        let rule = try configuration.catalogue().rules.first { $0.about.id == id }
        self.rule = rule.map { ($0.description, $0.place, $0.falsePositives) }
        isOlderRule = rule.map { [version = alert.version] in $0.about.version != version } ?? false
        finder = RecordFinder(configuration)
    }

    /// The record at a place of the evidence, without secrets.
    public func record(at place: RecordPlace) -> FoundRecord { finder.record(at: place) }
}
