import { join } from "node:path";
import { BUNDLE_MAIN } from "./bundle.ts";
import { capture } from "./command.ts";
import type { PackagedFile } from "./package.ts";

/** Where each shell looks for what packages bring; for zsh that is another folder on Debian than elsewhere. */
const PLACES: readonly (readonly [shell: string, path: string, format?: "deb" | "rpm"])[] = [
  ["bash", "/usr/share/bash-completion/completions/dw"],
  ["zsh", "/usr/share/zsh/vendor-completions/_dw", "deb"],
  ["zsh", "/usr/share/zsh/site-functions/_dw", "rpm"],
  ["fish", "/usr/share/fish/vendor_completions.d/dw.fish"],
];

/** The completion of `dw` for every shell, as the bundled `dw` prints it. */
export function completionFiles(bundle: string): Promise<PackagedFile[]> {
  return Promise.all(
    PLACES.map(async ([shell, path, format]) => {
      const script = await capture(process.execPath, [join(bundle, BUNDLE_MAIN), "completion", shell]);
      const file = { path, content: { data: `${script}\n` }, mode: 0o644 };
      return format === undefined ? file : { ...file, format };
    }),
  );
}
