"""A trained model as an ONNX file, for runtimes without torch; proven against torch before it is kept."""
