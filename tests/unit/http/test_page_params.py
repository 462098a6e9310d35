"""Pages of the management API's lists, as clients ask for them."""

from app.http.endpoint import PageParams


def test_a_page_of_size_0_is_the_whole_list_up_to_ten_thousand() -> None:
    query = PageParams(page=0, page_size=0).page_query()
    assert (query.offset, query.page_size) == (0, 10_000)


def test_what_does_not_fit_comes_on_further_pages() -> None:
    query = PageParams(page=3, page_size=0).page_query()
    assert (query.offset, query.page_size) == (20_000, 10_000)
