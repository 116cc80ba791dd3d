/** What the keys of one dstack hold; each kind has a folder of its own below the prefix. */
export const KINDS = ["format", "records", "instances", "watsons", "replicas", "challenges"] as const;
/** The kind of a record, by the part of its key that names it. */
export type Kind = (typeof KINDS)[number];

/** Makes and reads the keys below one prefix. */
export class Keys {
  /** What all keys begin with; ends with a slash. */
  readonly root: string;

  constructor(prefix: string) {
    this.root = `${prefix.replace(/\/+$/, "")}/`;
  }

  of(kind: Kind, id: string): string {
    return `${this.root}${kind}/${id}`;
  }

  /** The kind and the id; null for a key that this version does not know. */
  parse(key: string): { readonly kind: Kind; readonly id: string } | null {
    const rest = key.slice(this.root.length);
    const slash = rest.indexOf("/");
    const kind = KINDS.find((one) => one === rest.slice(0, slash));
    return kind === undefined ? null : { kind, id: rest.slice(slash + 1) };
  }
}
