/// A file of `patterns/` as it was when the binary was built; the list is made by the EmbedPatterns plugin.
struct EmbeddedFile {
    let name: String
    let text: String
}
