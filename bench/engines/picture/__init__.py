"""Models of images and video: pipelines of diffusers, single networks, input pictures and files of output."""
