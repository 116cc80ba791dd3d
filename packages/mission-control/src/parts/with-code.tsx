/** A text in which what stands in backticks is a command or a name. */
export function WithCode({ text }: { readonly text: string }) {
  // Every second part stood in them.
  return text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part));
}
