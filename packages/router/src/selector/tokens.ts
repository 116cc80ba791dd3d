/** A piece of a selector. */
export type Token =
  | { readonly type: "name"; readonly text: string; readonly quoted: boolean }
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "number"; readonly value: number | bigint }
  | { readonly type: "sign"; readonly text: string };

/** A selector that cannot be read; the message says what is wrong, without the selector itself. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

const PIECE =
  /\s*(?:(?<string>'(?:[^']|'')*')|(?<quoted>"[^"]+")|(?<hex>0[xX][0-9a-fA-F]{1,16})[lL]?(?![\w$.])|(?<octal>0[0-7]+)[lL]?(?![\w$.])|(?<whole>\d+)[lL]?(?![\w$.])|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)[fFdD]?(?![\w$.])|(?<name>[\p{L}_$][\p{L}\p{N}_$.]*)|(?<sign><>|<=|>=|[=<>()+\-*/,]))/uy;

/**
 * Cuts a selector into its pieces.
 * @throws SelectorError
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < end) {
    const at = PIECE.lastIndex;
    const groups = PIECE.exec(text)?.groups;
    if (groups === undefined)
      throw new SelectorError(
        `nothing that a selector has begins at ${JSON.stringify(text.slice(at, at + 20).trim())}`,
      );
    tokens.push(toToken(groups));
  }
  return tokens;
}

function toToken(groups: Readonly<Record<string, string | undefined>>): Token {
  const { string, quoted, hex, octal, whole, number, name, sign } = groups;
  if (string !== undefined) return { type: "string", text: string.slice(1, -1).replaceAll("''", "'") };
  if (quoted !== undefined) return { type: "name", text: quoted.slice(1, -1), quoted: true };
  const exact = octal === undefined ? (hex ?? whole) : `0o${octal.slice(1)}`;
  if (exact !== undefined) return { type: "number", value: BigInt(exact) };
  if (number !== undefined) return { type: "number", value: Number(number) };
  if (name !== undefined) return { type: "name", text: name, quoted: false };
  return { type: "sign", text: sign ?? "" };
}
