import VigilModel

/// Which events are meant. All that is given must hold.
public struct EventMatch: Sendable {
    /// What values must be.
    public var tests: [(key: EventKey, test: ValueTest)] = []
    /// Kinds of address. Empty: any.
    public var networks: Set<Network> = []
    /// One of these must hold. Empty: none need.
    public var anyOf: [EventMatch] = []
    /// None of these may hold.
    public var noneOf: [EventMatch] = []

    /// Any event.
    public init() {}

    /// Kinds of address.
    public enum Network: String, Sendable, CaseIterable {
        /// Reachable from outside.
        case `public`
        /// RFC 1918 and its like.
        case `private`
        /// 127.0.0.0/8 and ::1.
        case loopback
        /// A unix socket.
        case local

        /// Of an event; nil when nothing is known of where it came from.
        public init?(_ actor: DetectionActor) {
            guard let ip = actor.ip else {
                if actor.address == "[local]" { self = .local } else { return nil }
                return
            }
            self = ip.isLoopback ? .loopback : ip.isPrivate ? .private : .public
        }
    }

    /// True when the event is meant. Addresses of `publicNetworks` count as public ones.
    public func matches(_ event: DetectionEvent, publicNetworks: Set<Network> = []) -> Bool {
        for (key, test) in tests {
            let holds =
                key.place == .kind
                ? test.holds(forAny: event.kind.values(of: key)) : test.holds(for: event.value(of: key))
            if !holds { return false }
        }
        if !isFrom(event.actor, publicNetworks) { return false }
        if !anyOf.isEmpty, !anyOf.contains(where: { $0.matches(event, publicNetworks: publicNetworks) }) {
            return false
        }
        return !noneOf.contains { $0.matches(event, publicNetworks: publicNetworks) }
    }

    /// True when an actor's address is of a kind that may be meant.
    public func isFrom(_ actor: DetectionActor, _ publicNetworks: Set<Network>) -> Bool {
        guard !networks.isEmpty else { return true }
        guard let network = Network(actor) else { return false }
        return networks.contains(publicNetworks.contains(network) ? .public : network)
    }

    /// True when every event is meant.
    public var isAny: Bool { tests.isEmpty && networks.isEmpty && anyOf.isEmpty && noneOf.isEmpty }

    /// What remains to be asked of an event of that kind and actor, with those details if they are known; nil when it
    /// cannot be meant. With `anyActor` the actor stands for all whose address is of the same kind.
    public func remainder(
        for kind: EventKind, _ actor: DetectionActor, _ near: NearDetails?, publicNetworks: Set<Network>,
        anyActor: Bool = false
    ) -> EventMatch? {
        var rest = EventMatch()
        for (key, test) in tests {
            if key.place == .kind {
                if !test.holds(forAny: kind.values(of: key)) { return nil }
            } else if key.isOfActor && !anyActor {
                if !test.holds(for: actor.value(of: key)) { return nil }
            } else if let near, NearDetails.holds(key) {
                if !test.holds(for: near.value(of: key)) { return nil }
            } else {
                rest.tests.append((key, test))
            }
        }
        if !isFrom(actor, publicNetworks) { return nil }
        if !anyOf.isEmpty {
            rest.anyOf = anyOf.compactMap {
                $0.remainder(for: kind, actor, near, publicNetworks: publicNetworks, anyActor: anyActor)
            }
            if rest.anyOf.isEmpty { return nil }
            // One that holds is enough.
            if rest.anyOf.contains(where: \.isAny) { rest.anyOf = [] }
        }
        rest.noneOf = noneOf.compactMap {
            $0.remainder(for: kind, actor, near, publicNetworks: publicNetworks, anyActor: anyActor)
        }
        return rest.noneOf.contains(where: \.isAny) ? nil : rest
    }

    /// False when no event of the kind can be meant.
    public func mayMatch(_ kind: EventKind) -> Bool {
        for (key, test) in tests where key.place == .kind {
            if !test.holds(forAny: kind.values(of: key)) { return false }
        }
        if !anyOf.isEmpty, !anyOf.contains(where: { $0.mayMatch(kind) }) { return false }
        // What is not meant is known from the kind when the kind alone decides about it.
        return !noneOf.contains { $0.place == .kind && $0.mayMatch(kind) }
    }

    /// The farthest place that must be looked at.
    public var place: EventKey.Place {
        let own = tests.map(\.key.place).max() ?? .kind
        let nested = (anyOf + noneOf).map(\.place).max() ?? .kind
        return max(own, nested, networks.isEmpty ? .kind : .event)
    }

    /// The words of a key that it names, in itself or one of its parts; nil when it does not ask for the key.
    public func words(of key: EventKey) -> [String]? {
        let own = tests.compactMap { entry -> [String]? in
            if entry.key == key, case .words(let words) = entry.test { return words }
            return nil
        }.flatMap { $0 }
        let nested = anyOf.compactMap { $0.words(of: key) }.flatMap { $0 }
        return own.isEmpty && nested.isEmpty ? nil : own + nested
    }
}
