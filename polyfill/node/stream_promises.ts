// https://nodejs.org/api/stream.html#streams-promises-api
import { promises } from "./stream.ts";

export const { pipeline, finished } = promises;
export default promises;
