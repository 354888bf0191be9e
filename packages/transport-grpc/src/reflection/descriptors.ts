/** The descriptors of a server's services, as server reflection hands them out. */
import { createRegistry, type DescFile, type DescService, type Registry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The descriptors of a list of services, with the files that these import. */
export class Descriptors {
  /** Full names, sorted. */
  readonly services: readonly string[];
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #registry: Registry;

  constructor(services: Iterable<DescService>) {
    const list = [...services];
    this.services = [...new Set(list.map(({ typeName }) => typeName))].sort();
    const files = new Set(list.flatMap(({ file }) => withDependencies(file)));
    this.#files = new Map([...files].map((file) => [file.proto.name, file]));
    this.#registry = createRegistry(...files);
  }

  /** The file of that name and those it needs, encoded. Undefined if there is none. */
  fileNamed(name: string): readonly Uint8Array[] | undefined {
    return encoded(this.#files.get(name));
  }

  /** The file that declares `symbol`, and those it needs, encoded. Undefined if there is none. */
  fileWith(symbol: string): readonly Uint8Array[] | undefined {
    // A leading dot is allowed in front of a full name.
    const name = symbol.replace(/^\./, "");
    // Methods, fields and values are not registered: they are in the file of what they belong to.
    const desc = this.#registry.get(name) ?? this.#registry.get(name.slice(0, Math.max(0, name.lastIndexOf("."))));
    return encoded(desc?.file);
  }

  /** The file that declares extension `number` of a message. Undefined if there is none. */
  fileWithExtension(typeName: string, number: number): readonly Uint8Array[] | undefined {
    const message = this.#registry.getMessage(typeName);
    return encoded(message === undefined ? undefined : this.#registry.getExtensionFor(message, number)?.file);
  }

  /** Numbers of the extensions of a message. Undefined for what is no message here. */
  extensionNumbers(typeName: string): readonly number[] | undefined {
    if (this.#registry.getMessage(typeName) === undefined) return undefined;
    const numbers: number[] = [];
    for (const desc of this.#registry) {
      if (desc.kind === "extension" && desc.extendee.typeName === typeName) numbers.push(desc.number);
    }
    return numbers;
  }
}

function encoded(file: DescFile | undefined): readonly Uint8Array[] | undefined {
  if (file === undefined) return undefined;
  return withDependencies(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}

/** The file first, then what it needs, each once. */
function withDependencies(file: DescFile): readonly DescFile[] {
  const found = new Set([file]);
  // A set hands out what is added while it is walked.
  for (const each of found) for (const dependency of each.dependencies) found.add(dependency);
  return [...found];
}
