import {
  and,
  arithmetic,
  compare,
  type Expression,
  isIn,
  isNull,
  like,
  literal,
  type Lookup,
  not,
  or,
  parseLike,
  signed,
} from "./expression.ts";
import { SelectorError, type Token, tokenize } from "./tokens.ts";

/** Says of a message whether a selector takes it; unknown is no. */
export type Selector = (lookup: Lookup) => boolean;

/** Bounds of a selector: whoever sends one makes the router evaluate it for every message. */
const LENGTH_MAX = 4_096;
const DEPTH_MAX = 32;

/**
 * Reads a selector of JMS (Jakarta Messaging 3.1, section 3.8.1): the condition of a WHERE in SQL-92 over the properties
 * of a message.
 * @throws SelectorError that says what is wrong with it.
 */
export function parseSelector(text: string): Selector {
  if (text.length > LENGTH_MAX) throw new SelectorError(`it is longer than ${LENGTH_MAX} characters`);
  // JMS has the empty one for none at all.
  if (text.trim() === "") return () => true;
  const parser = new Parser(tokenize(text));
  const condition = parser.whole();
  return (lookup) => condition(lookup) === true;
}

const WORDS = new Set(["NOT", "AND", "OR", "BETWEEN", "LIKE", "IN", "IS", "ESCAPE"]);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const condition = this.#condition();
    if (this.#at < this.#tokens.length) throw new SelectorError(`it should end before ${this.#found()}`);
    return condition;
  }

  #condition(): Expression {
    if (++this.#depth > DEPTH_MAX) throw new SelectorError(`it is nested deeper than ${DEPTH_MAX}`);
    let left = this.#conjunction();
    while (this.#word("OR")) left = or(left, this.#conjunction());
    this.#depth--;
    return left;
  }

  #conjunction(): Expression {
    let left = this.#negation();
    while (this.#word("AND")) left = and(left, this.#negation());
    return left;
  }

  #negation(): Expression {
    let times = 0;
    while (this.#word("NOT")) times++;
    const inner = this.#comparison();
    // Twice is the value itself, but for what is no boolean, which stays unknown.
    return times === 0 ? inner : times % 2 === 1 ? not(inner) : not(not(inner));
  }

  #comparison(): Expression {
    const left = this.#sum();
    const sign = this.#sign("=", "<>", "<=", ">=", "<", ">");
    if (sign !== null) return compare(sign, left, this.#sum());
    if (this.#word("IS")) {
      const negated = this.#word("NOT");
      if (!this.#word("NULL")) throw new SelectorError(`IS wants NULL or NOT NULL, not ${this.#found()}`);
      return negated ? not(isNull(left)) : isNull(left);
    }
    const negated = this.#word("NOT");
    if (this.#word("BETWEEN")) return this.#between(left, negated);
    const test = this.#test(left);
    if (test === null && negated) throw new SelectorError(`NOT wants BETWEEN, IN or LIKE, not ${this.#found()}`);
    if (test === null) return left;
    return negated ? not(test) : test;
  }

  /** NOT BETWEEN is `< low OR > high`, and no NOT of the other: what is no number is neither within nor without. */
  #between(left: Expression, negated: boolean): Expression {
    const low = this.#sum();
    if (!this.#word("AND")) throw new SelectorError(`BETWEEN wants AND, not ${this.#found()}`);
    const high = this.#sum();
    return negated
      ? or(compare("<", left, low), compare(">", left, high))
      : and(compare(">=", left, low), compare("<=", left, high));
  }

  #test(left: Expression): Expression | null {
    if (this.#word("IN")) return isIn(left, this.#list());
    if (!this.#word("LIKE")) return null;
    const pattern = this.#string("LIKE");
    if (!this.#word("ESCAPE")) return like(left, parseLike(pattern, null));
    const escape = this.#string("ESCAPE");
    if (Array.from(escape).length !== 1) throw new SelectorError("ESCAPE wants one character");
    return like(left, parseLike(pattern, escape));
  }

  #list(): ReadonlySet<string> {
    const list = new Set<string>();
    if (this.#sign("(") === null) throw new SelectorError(`IN wants a list in parentheses, not ${this.#found()}`);
    do list.add(this.#string("IN"));
    while (this.#sign(",") !== null);
    if (this.#sign(")") === null) throw new SelectorError(`the list of IN should end before ${this.#found()}`);
    return list;
  }

  #sum(): Expression {
    let left = this.#product();
    for (let sign = this.#sign("+", "-"); sign !== null; sign = this.#sign("+", "-")) {
      left = arithmetic(sign, left, this.#product());
    }
    return left;
  }

  #product(): Expression {
    let left = this.#factor();
    for (let sign = this.#sign("*", "/"); sign !== null; sign = this.#sign("*", "/")) {
      left = arithmetic(sign, left, this.#factor());
    }
    return left;
  }

  #factor(): Expression {
    let minus: boolean | null = null;
    for (let sign = this.#sign("+", "-"); sign !== null; sign = this.#sign("+", "-"))
      minus = (minus ?? false) !== (sign === "-");
    return minus === null ? this.#primary() : signed(minus ? "-" : "+", this.#primary());
  }

  #primary(): Expression {
    if (this.#sign("(") !== null) {
      const inner = this.#condition();
      if (this.#sign(")") === null) throw new SelectorError(`) is missing before ${this.#found()}`);
      return inner;
    }
    const token = this.#tokens[this.#at];
    if (token === undefined || token.type === "sign" || isWord(token)) {
      throw new SelectorError(`a value is missing before ${this.#found()}`);
    }
    this.#at++;
    if (token.type === "string") return literal(token.text);
    if (token.type === "number") return literal(token.value);
    const constant = token.quoted ? undefined : CONSTANTS.get(token.text.toUpperCase());
    if (constant !== undefined) return literal(constant);
    const { text } = token;
    return (lookup) => lookup(text);
  }

  #string(of: string): string {
    const token = this.#tokens[this.#at];
    if (token?.type !== "string") throw new SelectorError(`${of} wants a string in quotes, not ${this.#found()}`);
    this.#at++;
    return token.text;
  }

  #word(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.type !== "name" || token.quoted || token.text.toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }

  #sign(...wanted: readonly string[]): string | null {
    const token = this.#tokens[this.#at];
    if (token?.type !== "sign" || !wanted.includes(token.text)) return null;
    this.#at++;
    return token.text;
  }

  /** What stands where the parser is, for messages. */
  #found(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) return "its end";
    return JSON.stringify(token.type === "number" ? String(token.value) : token.text);
  }
}

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ["TRUE", true],
  ["FALSE", false],
  ["NULL", null],
]);

const isWord = (token: Token): boolean => token.type === "name" && !token.quoted && WORDS.has(token.text.toUpperCase());
