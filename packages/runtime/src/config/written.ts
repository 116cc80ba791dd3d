/**
 * A scalar that YAML reads as something other than text (a number, a boolean, null), with the text that was written.
 */
export class Written {
  readonly text: string;
  readonly value: number | boolean | null;

  constructor(text: string, value: number | boolean | null) {
    this.text = text;
    this.value = value;
  }
}
