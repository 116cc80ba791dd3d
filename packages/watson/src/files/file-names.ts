/** A service file by its name, in capitals too. */
export function isServiceFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name);
}

/**
 * Whether a file is clearly not meant as a service file: a hidden one, a leftover of an editor, a patch or a package
 * manager, one that was disabled by its name, or a README.
 */
export function isLeftAlone(name: string): boolean {
  return HIDDEN.test(name) || ASIDE.test(name) || README.test(name);
}

const HIDDEN = /^\.|^lost\+found$/;
const ASIDE =
  /~$|^#.*#$|[.-](?:bak|backup|orig|old|save|rej|tmp|temp|part|swp|swo|swx|disabled|off|sample|example|dist|pacnew|pacsave|dpkg-[a-z]+|ucf-[a-z]+|rpm[a-z]+)\d*$/i;
const README = /^readme(?:\.\w+)?$|\.md$/i;
