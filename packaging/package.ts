/** A system package, apart from its format. */
export interface Package {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  /** `native`: for machines of the kind that builds it. */
  readonly architecture: "all" | "native";
  readonly needs: { readonly deb: readonly string[]; readonly rpm: readonly string[] };
  readonly files: readonly PackagedFile[];
  /** Folders that the package owns though it may have no file in them. */
  readonly folders: readonly string[];
  /** Shell functions `configured`, `removing`, `removed` and `purged`: what happens beside the copying of files. */
  readonly script: string;
}

export interface PackagedFile {
  /** Absolute, as installed. */
  readonly path: string;
  readonly content: { readonly file: string } | { readonly folder: string } | { readonly data: string | Uint8Array };
  readonly mode: number;
  /** Set where only packages of that format have the file. */
  readonly format?: "deb" | "rpm";
  /** Belongs to the administrator once installed: an upgrade never overwrites what was changed. */
  readonly setting?: true;
}
