"""Bodies that fall, roll and collide in the compiled library, and call Python back."""

import copy
import pickle

import pymunk
import pytest
from pymunk.autogeometry import march_soft, simplify_curves
from pymunk.vec2d import Vec2d


@pytest.fixture(params=[False, True], ids=["one thread", "two threads"])
def space(request):
    made = pymunk.Space(threaded=request.param)
    if request.param:
        made.threads = 2
    made.gravity = (0, -10)
    return made


def _ball(space, position, radius=1, **properties):
    body = pymunk.Body(1, pymunk.moment_for_circle(1, 0, radius))
    body.position = position
    circle = pymunk.Circle(body, radius)
    for name, value in properties.items():
        setattr(circle, name, value)
    space.add(body, circle)
    return circle


def test_it_falls(space):
    ball = _ball(space, (0, 100))
    for _ in range(100):
        space.step(0.01)
    # Of Euler's method with a hundredth of a second: v = g t, s = g t (t - dt) / 2.
    assert ball.body.velocity == pytest.approx((0, -10))
    assert ball.body.position == pytest.approx((0, 100 - 10 * 0.99 / 2))


def test_it_bounces_and_rests(space):
    space.add(pymunk.Segment(space.static_body, (-50, 0), (50, 0), 0))
    ball = _ball(space, (0, 5))
    heights = []
    for _ in range(1000):
        space.step(0.01)
        heights.append(ball.body.position.y)
    assert min(heights) > 0.8
    assert heights[-1] == pytest.approx(1, abs=0.15)


def test_momentum_is_kept():
    space = pymunk.Space()
    left, right = _ball(space, (-5, 0), elasticity=1.0), _ball(space, (5, 0), elasticity=1.0)
    left.body.velocity = (3, 0)
    for _ in range(400):
        space.step(0.01)
    assert left.body.velocity == pytest.approx((0, 0), abs=1e-6)
    assert right.body.velocity == pytest.approx((3, 0), abs=1e-6)


def test_python_is_called_back(space):
    seen = []
    _ball(space, (0, 2), collision_type=1)
    floor = pymunk.Segment(space.static_body, (-50, 0), (50, 0), 0)
    floor.collision_type = 2
    space.add(floor)
    space.on_collision(1, 2, begin=lambda arbiter, *_: seen.append(arbiter.contact_point_set.normal))
    for _ in range(100):
        space.step(0.01)
    assert seen[0] == pytest.approx((0, -1))


def test_queries(space):
    ball = _ball(space, (10, 0), radius=2)
    hit = space.segment_query_first((0, 0), (20, 0), 0, pymunk.ShapeFilter())
    assert hit.shape is ball
    assert hit.point == pytest.approx((8, 0))
    assert space.point_query_nearest((10, 5), 10, pymunk.ShapeFilter()).distance == pytest.approx(3)
    assert space.bb_query(pymunk.BB(-1, -1, 1, 1), pymunk.ShapeFilter()) == []


def test_a_joint_holds(space):
    ball = _ball(space, (0, -5))
    space.add(pymunk.PinJoint(space.static_body, ball.body, (0, 0), (0, 0)))
    ball.body.velocity = (5, 0)
    for _ in range(300):
        space.step(0.01)
    assert abs(ball.body.position) == pytest.approx(5, abs=0.05)


def test_copies(space):
    _ball(space, (0, 100))
    for other in (copy.deepcopy(space), pickle.loads(pickle.dumps(space))):  # noqa: S301 - its own
        other.step(1)
        other.step(1)
        (body,) = other.bodies
        assert body.position == pytest.approx((0, 90))
    (body,) = space.bodies
    assert body.position == (0, 100)


def test_geometry():
    square = pymunk.Poly(None, [(0, 0), (2, 0), (2, 2), (0, 2)])
    assert square.area == 4
    assert pymunk.moment_for_poly(1, [(-1, -1), (1, -1), (1, 1), (-1, 1)]) == pytest.approx(2 / 3)
    assert Vec2d(3, 4).rotated_degrees(90) == pytest.approx((-4, 3))
    picture = ["      ", "  xx  ", "  xx  ", "      "]
    lines = march_soft(
        pymunk.BB(0, 0, 5, 3), 6, 4, 0.5, lambda point: float(picture[round(point[1])][round(point[0])] == "x")
    )
    assert len(lines) == 1
    assert len(simplify_curves(lines[0], 0.1)) >= 5
