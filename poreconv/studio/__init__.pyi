from .serving import studio as studio
