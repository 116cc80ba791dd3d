/** A list as it is typed, its parts without blanks around them; what is empty is left out. */
export function readList(text: string, separator: string | RegExp): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
