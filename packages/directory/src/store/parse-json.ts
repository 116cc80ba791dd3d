/** What a text says as JSON; one that is none stays the text, which is no record and no registration either. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
