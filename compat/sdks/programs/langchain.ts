// LangChain and LangGraph: https://docs.langchain.com/oss/javascript
import { suite } from "../harness.ts";
import { core } from "./langchain/core.ts";
import { graph } from "./langchain/graph.ts";

export default suite("langchain", { ...core, ...graph });
