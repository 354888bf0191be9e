// `npm run build [-- NX_ARGUMENT...]`: `dist` of every published package, in order of dependency, unchanged ones from nx's cache.

import { build } from "./build.ts";

process.exitCode = (await build(process.argv.slice(2))) ? 0 : 1;
