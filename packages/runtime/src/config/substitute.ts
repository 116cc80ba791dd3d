import { own } from "@datawire/protocol";
/** What became of a text with `${NAME}` in it. */
export type Substitution =
  | {
      readonly ok: true;
      readonly text: string;
      /** The variables that were asked for. */
      readonly names: readonly string[];
    }
  | {
      readonly ok: false;
      readonly names: readonly string[];
      readonly unset: readonly string[];
      readonly malformed: readonly string[];
    };

/** The environment of a process, or what stands for it in tests. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Replaces each `${NAME}` by the environment's value. `$${NAME}` stands for `${NAME}` itself. */
export function substitute(text: string, env: Env): Substitution {
  const malformed: string[] = [];
  const names: string[] = [];
  const replaced = text.replace(/\$(\$?)\{([^}]*)\}/g, (whole, escape: string, name: string) => {
    if (escape !== "") return whole.slice(1);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) malformed.push(whole);
    else names.push(name);
    return own(env, name) ?? "";
  });
  const unset = names.filter((name) => own(env, name) === undefined);
  if (unset.length > 0 || malformed.length > 0) return { ok: false, names, unset, malformed };
  return { ok: true, text: replaced, names };
}
