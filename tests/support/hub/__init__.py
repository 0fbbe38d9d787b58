"""A model hub on loopback that speaks the hub's protocol, with a storage of large files on another host.

with serving_hub({"own/tiny": model_files(folder)}) as hub:
    hub.fault = lambda asked: Answer(503) if asked.is_file("config.json") else None
    ...                            # HF_ENDPOINT=hub.url
    hub.asked                      # every request: server, method, path, headers
"""

from tests.support.hub.models import COMMIT, PublishedFile, model_files
from tests.support.hub.server import Answer, Asked, Hub, Once, serving_hub

__all__ = ["COMMIT", "Answer", "Asked", "Hub", "Once", "PublishedFile", "model_files", "serving_hub"]
