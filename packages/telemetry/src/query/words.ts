/** Words are cut to so many characters: longer ones are no words. */
const WORD_MAX = 64;

/** The words of a text, in their order: letters and digits, in small letters. */
export function wordsOf(text: string): string[] {
  const found = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return found.map((word) => (word.length > WORD_MAX ? word.slice(0, WORD_MAX) : word));
}

/** Whether these words stand one after the other in the text. */
export function hasPhrase(text: string, phrase: readonly string[]): boolean {
  const words = wordsOf(text);
  const [first] = phrase;
  if (first === undefined) return true;
  for (let at = words.indexOf(first); at !== -1; at = words.indexOf(first, at + 1))
    if (phrase.every((word, i) => words[at + i] === word)) return true;
  return false;
}
