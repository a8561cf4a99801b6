"""What whoever watches over the app asks: is it alive."""

from fastapi import APIRouter

from onefold import __version__
from review.pages import Stores
from review.security.roles import Anyone
from warehouse import accounts

router = APIRouter()


@router.get("/health", include_in_schema=False)
def health(caller: Anyone, wh: Stores) -> dict[str, str]:
    """Whether the app serves and reaches its database; 503 where not."""
    accounts.reachable(wh)
    return {"status": "ok", "version": __version__}
