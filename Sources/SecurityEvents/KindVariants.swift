import VigilModel

/// Kinds with one more word, made once: an event that needs one shares it with those like it.
final class KindVariants {
    private struct Variant {
        let original: EventKind
        let tagged: EventKind
    }

    // The originals are kept, so that their identities stay theirs.
    private var known: [ObjectIdentifier: [String: Variant]] = [:]

    /// The kind with the word.
    func tagged(_ kind: EventKind, _ word: String) -> EventKind {
        if let variant = known[ObjectIdentifier(kind)]?[word] { return variant.tagged }
        let variant = Variant(original: kind, tagged: kind.tagged([word]))
        known[ObjectIdentifier(kind), default: [:]][word] = variant
        return variant.tagged
    }
}
