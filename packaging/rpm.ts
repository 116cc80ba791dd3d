import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { capture } from "./command.ts";
import type { Package } from "./package.ts";
import type { BuildContext } from "./context.ts";
import { levelTree, writeTree } from "./tree.ts";

/** Builds the .rpm of a package; gives its path. */
export async function buildRpm(pkg: Package, { work, out, epoch, zstdLevel }: BuildContext): Promise<string> {
  const architecture = pkg.architecture === "all" ? "noarch" : RPM_ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`Cannot package Node for ${process.arch}: wanted x64 or arm64`);
  const root = join(work, `${pkg.name}.rpm.d`);
  const paths = await writeTree(pkg, root);
  await levelTree(root, epoch);

  const top = join(work, `${pkg.name}.rpmbuild`);
  await mkdir(top);
  const spec = join(top, `${pkg.name}.spec`);
  await writeFile(spec, specFile(pkg, { root, paths }));
  const macros: Readonly<Record<string, string>> = {
    _topdir: top,
    _dbpath: join(top, "db"),
    // Equal sources, equal packages: no host, no clock.
    _buildhost: "localhost",
    use_source_date_epoch_as_buildtime: "1",
    clamp_mtime_to_source_date_epoch: "1",
    // Files are packaged as they are.
    __os_install_post: "%{nil}",
    debug_package: "%{nil}",
    _build_id_links: "none",
    _binary_payload: `w${zstdLevel}.zstdio`,
  };
  const defines = Object.entries(macros).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
  const args = ["-bb", "--quiet", "--buildroot", join(top, "root"), "--target", architecture, ...defines, spec];
  await capture("rpmbuild", args, { SOURCE_DATE_EPOCH: String(epoch) });
  const name = `${pkg.name}-${pkg.version}-1.${architecture}.rpm`;
  await rename(join(top, "RPMS", architecture, name), join(out, name));
  return join(out, name);
}

const RPM_ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "x86_64", arm64: "aarch64" };

function specFile(
  { name, version, summary, needs, files, folders, script }: Package,
  { root, paths }: { readonly root: string; readonly paths: readonly string[] },
): string {
  const settings = new Set(files.filter(({ setting }) => setting).map(({ path }) => path));
  const isDocument = (path: string): boolean => path.startsWith("/usr/share/doc/");
  const mark = (path: string): string => (settings.has(path) ? "%config(noreplace) " : isDocument(path) ? "%doc " : "");
  const owned = new Set([
    ...folders,
    ...OWN_FOLDERS.flatMap((own) =>
      paths.filter((path) => path.startsWith(own)).flatMap((path) => foldersOf(own, path)),
    ),
  ]);
  const scriptlet = (section: string, body: string): string => `${section}\nset -e\n${escapeMacros(script)}\n${body}\n`;
  return `Name: ${name}
Version: ${version}
Release: 1
Summary: ${summary}
License: ${name === "datawire-node" ? "MIT" : "Apache-2.0"}
AutoReqProv: no
${needs.rpm.map((need) => `Requires: ${need}\n`).join("")}
%description
Part of Datawire dstack: reach a live instance of a service at localhost,
wherever it runs and whichever version it should get.

%prep
%build
%install
cp -al ${root}/. %{buildroot}

%files
%defattr(-,root,root,0755)
${[...owned].map((folder) => `%dir ${folder}\n`).join("")}${paths.map((path) => `${mark(path)}${path}\n`).join("")}
${scriptlet("%post", 'if [ "$1" -gt 1 ]; then configured before; else configured ""; fi')}
${scriptlet("%preun", 'if [ "$1" = 0 ]; then removing; fi')}
${scriptlet("%postun", 'if [ "$1" = 0 ]; then removed; fi')}`;
}

/** Folders that perhaps no other package brings along; rpm lets several own one. */
const OWN_FOLDERS = [
  "/usr/lib/datawire",
  "/etc/datawire",
  "/usr/share/doc/datawire-",
  ...["bash-completion", "fish", "zsh"].map((name) => `/usr/share/${name}`),
];

/** The folders of a path, from the first that is ours. */
function foldersOf(own: string, path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(0, i).join("/")).filter((folder) => folder.startsWith(own));
}

const escapeMacros = (text: string): string => text.replaceAll("%", "%%");
