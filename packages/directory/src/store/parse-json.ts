/**
 * The value of a JSON text. A text that is not JSON is returned as it is, and is then refused as a record or a
 * registration.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
