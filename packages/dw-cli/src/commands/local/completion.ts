import { operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";

/** The scripts ask `dw` itself, so that they know new commands, and names that the directory knows now. */
const SCRIPTS: ReadonlyMap<string, string> = new Map<string, string>(
  Object.entries({
    // bash breaks words at : and @ and completes only what follows the last break, so that what is before it is cut off.
    bash: `_dw() {
  local line="\${COMP_LINE:0:COMP_POINT}" words=() current breaks prefix
  read -ra words <<<"$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  current="\${words[-1]}"
  breaks="\${COMP_WORDS[COMP_CWORD]}"
  [[ "$breaks" == [:=@]* ]] && breaks="\${breaks#?}"
  prefix="\${current%"$breaks"}"
  local IFS=$'\\n'
  COMPREPLY=($(dw __complete -- "\${words[@]:1}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
}
complete -o default -F _dw dw
`,
    // zsh reads a file of its folders of completions as the body of the function, when that is first called.
    zsh: `#compdef dw
_dw() {
  local -a candidates
  candidates=(\${(f)"$(dw __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -Q -- \${(q)candidates}
}
if [[ $funcstack[1] == _dw ]]; then _dw "$@"; else compdef _dw dw; fi
`,
    fish: `complete -c dw -f -a '(dw __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
  }),
);

/** Prints the completion script of a shell. */
export const run: RunLocal = async ({ output }, input) => {
  const script = SCRIPTS.get(operand(input, 0));
  if (script === undefined) throw new Error("Cannot print the script: the grammar let another shell pass");
  for (const line of script.trimEnd().split("\n")) output.line(line);
};
